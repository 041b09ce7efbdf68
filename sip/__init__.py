"""The Session Initiation Protocol without input or output.

Everything in this package but `sip.net` is a plain function or value: no sockets, no clock and
no randomness that was not passed in. `sip.net` is the only place that knows a socket.
"""
