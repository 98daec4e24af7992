"""What thinks of an answer: the scripted brain, a service, and what holds both to the persona."""
