"""What turns speech into words by other means than the embedded recogniser: a service, a model of the operator."""
