"""Number porting: states, rejections, business time, papers. Pure rules, time is an argument."""
