"""Photos that come with leaven, for pictures in the documentation and to try things with. No plugin."""
