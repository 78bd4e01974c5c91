<?php # known in the end:
$wgA = 1; if ( true ) { return; } $wgA = 2;
