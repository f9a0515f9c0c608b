"""Templates of conversations: their variables, their texts, and what is asked of people. docs/templates.md"""
