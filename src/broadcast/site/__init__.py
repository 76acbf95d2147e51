"""The status page: announcements become static pages and feeds. Knows nothing of channels, plans or ledgers."""
