"""OGC API - Features and Tiles over what is published, and over drafts."""
