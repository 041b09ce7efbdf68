"""What routes and commands do with rows: functions over a session, which never commit."""
