<?php

namespace MediaWiki\Extension\BounceSidecar;

use RuntimeException;
use Wikimedia\Timestamp\ConvertibleTimestamp;

/**
 * A user's address, and since when it has been confirmed.
 *
 * Knows how MediaWiki keeps both. Does not know when a confirmation may be taken away or given back.
 */
class Confirmation {

	/** @var \MediaWiki\User\User|\User */
	private $user;
	/** @var \Wikimedia\Rdbms\ILoadBalancer */
	private $loadBalancer;
	/** @var \MediaWiki\Config\Config|\Config */
	private $config;

	/**
	 * @param \MediaWiki\User\User|\User $user loaded for update
	 * @param \Wikimedia\Rdbms\ILoadBalancer $loadBalancer
	 * @param \MediaWiki\Config\Config|\Config $config
	 */
	public function __construct( $user, $loadBalancer, $config ) {
		$this->user = $user;
		$this->loadBalancer = $loadBalancer;
		$this->config = $config;
	}

	public function hasAddress(): bool {
		return $this->user->getEmail() !== '';
	}

	/**
	 * @return string|null in the format TS_MW; null if there is no confirmed address
	 */
	public function since(): ?string {
		$since = $this->user->getEmailAuthenticationTimestamp();
		return $since && $this->hasAddress() ? ConvertibleTimestamp::convert( TS_MW, $since ) : null;
	}

	/**
	 * @return string tells a later request whether this user's address is still the same, and nothing to
	 *   anybody else: not even whether two users have one address
	 */
	public function fingerprint(): string {
		$key = hash_hmac( 'sha256', 'BounceSidecar address fingerprint', $this->config->get( 'SecretKey' ) );
		$told = $this->user->getId() . ' ' . $this->user->getEmail();
		return substr( hash_hmac( 'sha256', $told, $key ), 0, 32 );
	}

	/**
	 * When the user last asked for a confirmation mail that has not been answered. Core keeps only when it expires.
	 *
	 * @return int|null in seconds since 1970
	 */
	public function askedFor(): ?int {
		$expires = $this->stored( 'user_email_token_expires' );
		return $expires === null ? null :
			(int)ConvertibleTimestamp::convert( TS_UNIX, $expires ) -
			(int)$this->config->get( 'UserEmailConfirmationTokenExpiry' );
	}

	/**
	 * The address is kept; User::invalidateEmail() would erase it.
	 */
	public function take(): void {
		$this->store( null );
	}

	/**
	 * @param string $since in the format TS_MW
	 */
	public function giveBack( string $since ): void {
		$this->store( $since );
	}

	private function store( ?string $since ): void {
		$this->user->setEmailAuthenticationTimestamp( $since );
		$this->user->saveSettings();
		// saveSettings() returns without a word if the database has become read-only meanwhile, and we must not
		// claim what was not done. Not through User, whose hooks (CentralAuth's) may answer from a cache. The
		// exception rolls everything back, and we are asked again.
		$stored = $this->stored( 'user_email_authenticated' );
		if (
			( $stored === null ? null : ConvertibleTimestamp::convert( TS_MW, $stored ) ) !== $since ||
			// CentralAuth gives up without a word, too, if two wikis save one global account at the same time.
			!Central::isConfirmed( $this->user, $since )
		) {
			throw new RuntimeException( 'The user was not saved' );
		}
	}

	/**
	 * One row by its key, in the transaction that has locked it.
	 *
	 * @param string $field
	 * @return string|null
	 */
	private function stored( string $field ): ?string {
		return $this->loadBalancer->getConnection( DB_PRIMARY )->newSelectQueryBuilder()
			->select( $field )
			->from( 'user' )
			->where( [ 'user_id' => $this->user->getId() ] )
			->caller( __METHOD__ )
			->fetchField();
	}
}
