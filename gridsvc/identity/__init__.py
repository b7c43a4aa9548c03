"""Who asks: keys of services, and people known to the company's identity provider."""
