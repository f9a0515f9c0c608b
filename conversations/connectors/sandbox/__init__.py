"""Python that nobody trusts, in a process of its own: the parent starts it, the child runs the plugin."""
