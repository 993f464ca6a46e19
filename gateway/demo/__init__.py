"""The product's main job played with generated people: `mydata demo`."""
