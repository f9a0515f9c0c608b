"""What keeps a broken assistant from taking others along: limits, a place for each call, time, a breaker, patience."""
