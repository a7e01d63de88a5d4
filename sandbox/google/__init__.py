"""Google Ads on localhost: a token endpoint, and the gRPC services that the SDK calls, over the sandbox's world."""
