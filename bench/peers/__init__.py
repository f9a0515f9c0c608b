"""What the product is compared with: small servers as their documentation shows them, as fast as they go."""
