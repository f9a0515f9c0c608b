"""Finding what was said, although it is stored encrypted (docs/search.md).

words.py      from text to words, the same for what is stored and what is asked
hashing.py    from words to keyed hashes: all that the database sees of them
index.py      the entries, one for each text of the log, written with its event
query.py      what somebody asks for
candidates.py which texts can be meant: one query over hashes and membership
ranking.py    which of them is meant most, judged on the opened text
snippets.py   what is shown of it
finding.py    all of it together, for every door

By meaning, where an embedder is set up: embedders.py and local.py make vectors, embedding.py does so in the
background, vectors.py keeps and compares them. reindexing.py makes what is missing, paging.py cuts results.
"""
