"""What the figures of the real-time engine are measured with: generator, servers, and where each of them runs."""
