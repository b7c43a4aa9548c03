"""The company's OpenID provider: whom it knows, and how people sign in at it."""
