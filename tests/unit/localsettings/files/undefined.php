<?php # known in the end:
$wgA['x'] = 1; $wgB ??= 2; $wgC .= 'x';
