"""LinkedIn on localhost: OAuth, the searches of an ad account, and adAnalytics."""
