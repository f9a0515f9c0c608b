"""Questions in newcomers' words, and the page that answers each; written before the guide was tuned."""

# (question, page that must be named)
QUESTIONS = (
    ("How do I get this thing running on my laptop?", "docs/getting-started.md"),
    ("I lost the admin password it printed, what now?", "docs/troubleshooting.md"),
    ("port 8000 is taken, can I use a different one?", "docs/troubleshooting.md"),
    ("how can I use my own postgres instead of the built-in one", "docs/deployment.md"),
    ("Where do I put my OpenAI key?", "docs/assistants.md"),
    ("I want to write my own bot, where do I start?", "docs/assistants.md"),
    ("Can I point it at a local model like Ollama?", "docs/assistants.md"),
    ("what happens to the answer if the worker crashes half way through?", "docs/how-it-works.md"),
    ("How are my chats encrypted?", "docs/encryption-and-keys.md"),
    ("how do I rotate the encryption key", "docs/encryption-and-keys.md"),
    ("what does close code 4503 mean", "docs/websocket.md"),
    ("my socket keeps getting closed with 4002, why?", "docs/websocket.md"),
    ("How does a client pick up where it left off after the wifi dropped?", "docs/websocket.md"),
    ("what's a cmid good for?", "docs/protocol.md"),
    ("how do I create a conversation with curl?", "docs/http-api.md"),
    ("how can I wait for the reply in one single request", "docs/http-api.md"),
    ("I get conversation_busy when I post, what is that?", "docs/errors.md"),
    ("is it safe to retry a POST after a timeout?", "docs/http-api.md"),
    ("which fields does run:end have?", "docs/events.md"),
    ("can I follow a chat with EventSource?", "docs/sse.md"),
    ("Which prometheus metrics are there?", "docs/metrics.md"),
    ("what should I alert on?", "docs/metrics.md"),
    ("how do I put nginx with https in front of it", "docs/deployment.md"),
    ("How do I back up everything?", "docs/deployment.md"),
    ("how do I turn off sign-up for strangers?", "docs/settings.md"),
    ("what is the longest message I can send", "docs/settings.md"),
    ("where can staff read a transcript?", "docs/admin.md"),
    ("how do I run only one test", "docs/testing.md"),
    ("in which folder are the socket commands?", "docs/where-things-live.md"),
    ("how do I use the javascript client in my own page?", "docs/client-js.md"),
)

# Written at the same time, asked only after the guide had been tuned with those above.
HELD_OUT = (
    ("what do I need to install before I can try it?", "docs/getting-started.md"),
    ("what is stored when I press the stop button while it is answering?", "docs/using-the-chat.md"),
    ("does it work on my phone?", "docs/using-the-chat.md"),
    ("can two people write in the same chat?", "docs/using-the-chat.md"),
    ("what happens when redis goes down?", "docs/how-it-works.md"),
    ("why is there no gap in the numbers of events?", "docs/how-it-works.md"),
    ("how long does an access token live?", "docs/settings.md"),
    ("what does error 429 mean and when can I try again", "docs/errors.md"),
    ("how do I send a heartbeat answer from my own client", "docs/websocket.md"),
    ("how many web processes can I run and how?", "docs/deployment.md"),
    ("is there a health check for kubernetes?", "docs/deployment.md"),
    ("why don't you use a bundler for the javascript?", "docs/decisions/0008-static-files-without-a-build.md"),
    ("what is a lease and what is a fence", "docs/how-it-works.md"),
    ("it says DATA_DIR is in use", "docs/troubleshooting.md"),
    ("how do I make a second admin user", "docs/admin.md"),
)

OFF_TOPIC = (
    "What is the capital of France?",
    "Can you recommend a good pasta recipe with tomatoes?",
    "Who won the football world cup in 1998?",
    "write me a poem about autumn leaves",
    "how do I train a neural network to recognise cats?",
)

OFF_TOPIC_HELD_OUT = (
    "what will the weather be like tomorrow in Berlin?",
    "how much does a flight to Tokyo cost",
    "translate 'good morning' into Italian",
    "Why is the sky blue?",
    "can I send voice messages or start a video call?",
)
