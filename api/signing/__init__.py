"""The pages on which a letter of authorization is signed: for the person with the link, without a key."""
