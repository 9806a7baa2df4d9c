"""Who asks: API keys from a document or the database, tokens, and the door that looks at both."""
