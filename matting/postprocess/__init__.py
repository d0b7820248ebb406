"""From the alpha that the network draws to the one a user gets, and what is made of it: arrays in, arrays out."""
