"""What speaks: the embedded voices, a service, a program."""
