<?php # known in the end: wgA wgB
$wgA = <<<EOT
one
	two
EOT;
$wgB = 'b';
