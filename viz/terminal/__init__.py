"""Pictures as text, for those without a screen."""
