"""What the tests of the documentation share: the blocks of its pages, and how each kind is run."""
