<?php # known in the end: wgA
$wgA = 1; __halt_compiler(); $wgA = 2; ' never closed
