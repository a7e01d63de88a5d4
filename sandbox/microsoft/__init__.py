"""Microsoft Advertising's sign-in, SOAP services and report downloads, over the sandbox's world."""
