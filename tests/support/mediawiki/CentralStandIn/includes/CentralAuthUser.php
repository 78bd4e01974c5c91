<?php

namespace MediaWiki\Extension\CentralAuth\User;

use PDO;

/**
 * A person of the farm: for tests, in the place of CentralAuth's class of this name.
 *
 * Knows the rows of the central database. The few methods that BounceSidecar calls are named as CentralAuth's;
 * all reads are fresh.
 */
class CentralAuthUser {

	/** @var array|null the row of the person */
	private $row;
	/** @var string */
	private $name;

	private function __construct( string $name, ?array $row ) {
		$this->name = $name;
		$this->row = $row;
	}

	public static function database(): PDO {
		global $wgCentralStandInDatabase;
		return new PDO( "sqlite:$wgCentralStandInDatabase", null, null, [
			PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION, PDO::ATTR_TIMEOUT => 20,
		] );
	}

	private static function rows( string $query, array $values ): array {
		$statement = self::database()->prepare( $query );
		$statement->execute( $values );
		return $statement->fetchAll( PDO::FETCH_ASSOC );
	}

	public static function ofName( string $name ): self {
		return new self( $name, self::rows( 'SELECT * FROM globaluser WHERE gu_name = ?', [ $name ] )[0] ?? null );
	}

	public static function getInstance( $user ): self {
		return self::ofName( $user->getName() );
	}

	public static function newPrimaryInstanceFromId( $id ): self {
		$row = self::rows( 'SELECT * FROM globaluser WHERE gu_id = ?', [ $id ] )[0] ?? null;
		return new self( $row['gu_name'] ?? '', $row );
	}

	public function exists(): bool {
		return $this->row !== null;
	}

	public function getId(): int {
		return (int)( $this->row['gu_id'] ?? 0 );
	}

	public function getName(): string {
		return $this->name;
	}

	public function isHidden(): bool {
		return (bool)( $this->row['gu_hidden_level'] ?? 0 );
	}

	public function isLocked(): bool {
		return (bool)( $this->row['gu_locked'] ?? 0 );
	}

	public function homeWiki(): string {
		return (string)$this->row['gu_home_db'];
	}

	public function accounts(): array {
		return self::rows( 'SELECT * FROM localuser WHERE lu_global_id = ?', [ $this->getId() ] );
	}

	public function isAttached(): bool {
		$here = \WikiMap::getCurrentWikiId();
		return $this->exists() && in_array( $here, array_column( $this->accounts(), 'lu_wiki' ), true );
	}

	public function getGlobalGroups(): array {
		return [];
	}

	public function getEmail(): string {
		return (string)$this->row['gu_email'];
	}

	public function getEmailAuthenticationTimestamp(): ?string {
		return $this->row['gu_email_authenticated'];
	}

	/** At once, where CentralAuth waits for saveSettings(); lost without a word where a test wants a lost race. */
	public function store( string $column, ?string $value ): void {
		global $wgCentralStandInLosesRaces;
		if ( $wgCentralStandInLosesRaces ) {
			return;
		}
		self::rows( "UPDATE globaluser SET $column = ? WHERE gu_id = ?", [ $value, $this->getId() ] );
	}
}
