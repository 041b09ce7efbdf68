"""Winning carriers behind one interface: what takes numbers over, real ones and the simulated one."""
