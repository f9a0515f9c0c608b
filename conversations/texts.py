"""What the page's JavaScript says to people. It holds no words of its own, so that all of them are translated."""

from django.conf import settings
from django.utils.functional import lazystr
from django.utils.translation import gettext_lazy as _


class _Invalid:
    """What a message is that is refused as `invalid`: one that cannot be empty, because the page sends none."""

    def __str__(self) -> str:
        malformed, private = _("it is empty or malformed."), _("it seems to hold a card's or a social security number.")
        return str(private if settings.PRIVACY_POLICY == "refuse" else malformed)


TEXTS = {
    "connecting": _("Connecting …"),
    "waiting": _("Connection lost."),
    "retry_in": _("Reconnecting in {n} s"),
    "retrying": _("Reconnecting …"),
    "offline": _("You are offline. What you send is kept and goes out later."),
    "logged_out": _("You are logged out. What you sent is kept in this browser."),
    "log_in": _("Log in"),
    "ended": _("The connection was ended."),
    "reload": _("Load the page again"),
    "user_changed": _("Somebody else logged in in this browser."),
    "removed": _("You are no longer in this conversation."),
    "sending": _("Sending …"),
    "unsent": _("Not sent yet; it goes out as soon as there is a connection."),
    "refused": _("Not accepted: {reason}"),
    "answering": _("{name} is answering."),
    "too_late": _("This is being answered already."),
    "degraded": _("{name}: {reason}."),
    "asks": _("{name} asks: {text}"),
    "answered": _("{name} has answered: {text}"),
    "answer_stopped": _("The answer was stopped."),
    "answer_failed": _("The answer failed."),
    "typing_one": _("{name} is typing …"),
    "typing_many": _("Several people are typing …"),
    "copied": _("Copied"),
    "with_others": _("with {names}"),
    "you_named": _("{name} (you)"),
    "role_of": _("Role of {name}"),
    "remove_member": _("Remove {name}"),
    "views": _("opened {n} times"),
    "views_one": _("opened once"),
    "views_of": _("opened {n} of {most} times"),
    "roles": {"owner": _("Owner"), "editor": _("Editor"), "agent": _("Agent"), "viewer": _("Viewer")},
    "share_modes": {"fixed": _("A copy"), "live": _("Live")},
    "members": {
        "not_found": _("there is nobody of this name."),
        "conflict": _("they take part already."),
        "too_large": _("there is no room for more members."),
        "forbidden": _("you may not do this."),
    },
    "shares": {
        "quota_exceeded": _("there are too many links; revoke one first."),
        "conversation_closed": _("this conversation is archived."),
        "forbidden": _("you may not do this."),
        "not_found": _("this link is gone already."),
    },
    "degradations": {
        "late": _("took too long"),
        "assistant_timeout": _("took too long"),
        "provider_timeout": _("took too long"),
        "retrying": _("did not answer, and is asked once more"),
        "rate_limited": _("has too much to do, and is asked again in a moment"),
        "assistant_busy": _("has too much to do"),
        "provider_busy": _("has too much to do"),
        "suspended": _("is out of order for the moment"),
        "errors": _("fails often, and is left alone for a while"),
        "other": _("failed"),
    },
    "act_unreachable": _("The server cannot be reached. Try it again."),
    "asked_again": _("Another answer is on its way."),
    "unreachable": _("The server cannot be reached. Your message is kept."),
    "attach_uploading": _("Uploading {name}"),
    "attach_remove": _("Remove {name}"),
    "attach_wait": _("The message goes out as soon as its files are uploaded."),
    "attach_too_large": _("Larger than {size}, which is the most."),
    "attach_unsupported": _("Files of this type are not taken."),
    "attach_quota_exceeded": _("This conversation has no room for more files."),
    "attach_empty": _("This file is empty."),
    "attach_many": _("A message carries at most {n} files."),
    "attach_failed": _("This file could not be uploaded."),
    "codes": {
        "too_large": _("it is too long."),
        "forbidden": _("you may not write here."),
        "not_found": _("this conversation is gone."),
        "conversation_closed": _("this conversation takes no more messages."),
        "conflict": _("it contradicts what was sent before."),
        "stale": _("it was changed meanwhile."),
        "invalid": lazystr(_Invalid()),
        "other": _("the server did not take it."),
    },
}

# For the guide, who answers from the documentation; not translated, because that is in English.
SUGGESTIONS = (
    "What can I do here?",
    "Can I close my laptop while it answers?",
    "How do I stop an answer?",
)
