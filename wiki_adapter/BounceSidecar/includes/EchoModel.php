<?php

namespace MediaWiki\Extension\BounceSidecar;

/*
 * Echo's presentation model, under whichever name this Echo has it: a class can only extend a name that is there.
 * Loaded by Echo alone.
 */
if ( class_exists( 'MediaWiki\Extension\Notifications\Formatters\EchoEventPresentationModel' ) ) {
	abstract class EchoModel extends \MediaWiki\Extension\Notifications\Formatters\EchoEventPresentationModel {
	}
} else {
	abstract class EchoModel extends \EchoEventPresentationModel {
	}
}
