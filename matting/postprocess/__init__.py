"""From the network's alpha to the final alpha, foreground colours and composites: arrays in, arrays out."""
