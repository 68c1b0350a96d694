"""The plugins that come with leaven. Folders are kinds, each folder within them is one plugin."""
