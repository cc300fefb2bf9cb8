// Nothing to call: linking this tells ThreadSanitizer what to leave out; see sanitizers.c.
