"""Real traffic: SIP messages that an operator's own servers export become calls and traces."""
