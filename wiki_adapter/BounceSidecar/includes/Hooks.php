<?php

namespace MediaWiki\Extension\BounceSidecar;

use MediaWiki\Logger\LoggerFactory;
use Throwable;

/**
 * Gives each mail to a user the return path that the sidecar signs for it. Whatever happens, the mail leaves.
 *
 * Knows for which mails to ask. Does not know what a signed return path looks like inside.
 *
 * Does not implement UserMailerChangeReturnPathHook and hints no types: MediaWiki moves both between releases,
 * and what cannot be loaded here would stop all mail of the wiki.
 */
class Hooks {

	/** @var \MediaWiki\Config\Config|\Config */
	private $config;
	/** @var \MediaWiki\User\UserFactory */
	private $userFactory;

	/**
	 * @param \MediaWiki\Config\Config|\Config $config
	 * @param \MediaWiki\User\UserFactory $userFactory
	 */
	public function __construct( $config, $userFactory ) {
		$this->config = $config;
		$this->userFactory = $userFactory;
	}

	/**
	 * @param \MailAddress[] $to
	 * @param string &$returnPath
	 */
	public function onUserMailerChangeReturnPath( $to, &$returnPath ) {
		try {
			$user = $this->onlyRecipient( $to );
			if ( $user ) {
				$address = reset( $to )->address;
				$lookup = $this->isConfirmed( $user, $address ) ? 'verp' : 'confirm';
				$wiki = Moved::name( 'WikiMap' )::getCurrentWikiId();
				$returnPath = $this->socket()->ask( $lookup, $wiki, $user->getId(), $address );
			}
		} catch ( Throwable $e ) {
			$this->report( $e );
		}
	}

	/**
	 * @param \MailAddress[] $to
	 * @return \MediaWiki\User\User|\User|null null if a bounce could not be put down to one user: several
	 *   recipients, or nobody registered
	 */
	private function onlyRecipient( $to ) {
		$recipient = count( $to ) === 1 ? reset( $to ) : null;
		$user = $recipient && $recipient->name ? $this->userFactory->newFromName( $recipient->name ) : null;
		return $user && $user->isRegistered() ? $user : null;
	}

	/**
	 * @param \MediaWiki\User\User|\User $user
	 * @param string $address
	 * @return bool whether this is the address that the user has proven to be theirs. Mail to another one asks
	 *   for that proof: it is not saved yet (Special:ChangeEmail sends before it saves), or not confirmed yet.
	 */
	private function isConfirmed( $user, string $address ): bool {
		return $user->getEmail() === $address && $user->isEmailConfirmed();
	}

	private function socket(): ReturnPathSocket {
		return new ReturnPathSocket(
			$this->config->get( 'BounceSidecarSocket' ),
			(float)$this->config->get( 'BounceSidecarTimeout' )
		);
	}

	private function report( Throwable $e ): void {
		try {
			// The words of any other exception may contain the recipient's address.
			$reason = $e instanceof ReturnPathUnavailable ? $e->getMessage() : get_class( $e );
			LoggerFactory::getInstance( 'BounceSidecar' )->warning(
				'A mail keeps its usual return path: {reason}', [ 'reason' => $reason ]
			);
		} catch ( Throwable $e ) {
			// A log that cannot be written must not stop the mail either.
			return;
		}
	}
}
