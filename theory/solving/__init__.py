"""The optimal q of every model of a class, exactly."""
