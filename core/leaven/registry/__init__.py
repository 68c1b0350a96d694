"""From a name to an object: declarations, discovery, look-up, parameter check, configuration."""
