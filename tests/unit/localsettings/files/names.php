<?php # known in the end: wgA wgé wgB
$wgA = 1; $wgA  = 2; $wgé = 3; $wgA​ = 4; $wgB = <<<é
x
é;
