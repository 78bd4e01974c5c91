<?php # known in the end: wgA
$wgA = 1; return; $wgA = 2;
