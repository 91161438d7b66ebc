"""Published test vectors as data; each module says where its own come from."""
