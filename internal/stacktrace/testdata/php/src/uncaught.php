<?php
function add(int $n) { throw new DomainException("quantity must be positive"); }
add(-1);
