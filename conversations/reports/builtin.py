"""Templates that are always there. One of the same short name, of one's own or shared, takes its place."""

BUILTIN = {
    "transcript": """# {{ title }}

{{ date }} · {{ participants }}

{{ transcript }}
""",
    "summary": """# {{ title }}

{{ began }} – {{ ended }} · {{ participants }} · {{ messages }}

## Summary

{{ ask: Summarise what was said, in a few sentences. }}

## Decisions

{{ ask: Which decisions were made? Answer with a list. }}

## Open questions

{{ ask: What is still open? Answer with a list. }}
""",
    "batch": """# {{ title }}

{{ date }} · {{ rows_done }} / {{ rows_total }}

{{ rows }}
""",
}
