"""What a person sees. Pages ask a component, call the engine, show the result."""
