"""The demonstration: two fictional providers, their files, and the main job from end to end."""
