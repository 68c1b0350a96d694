door = None
