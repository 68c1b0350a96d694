"""Running users' functions: in processes or threads, again and again or one by one, with the results in order."""
