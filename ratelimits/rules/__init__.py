"""The limiter's rules as staff look at them and change them; a change holds from the next request on."""
