"""Reports: a template filled from conversations and answers, as a document."""
