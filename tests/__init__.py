"""The tests are a package of their own: a library that brings its tests along (ascmhl) must not come before them."""
